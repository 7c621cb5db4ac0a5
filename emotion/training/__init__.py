"""Training: the loop, and its parts; networks, targets, input pipeline, augmentation, optimizers, distillation."""
