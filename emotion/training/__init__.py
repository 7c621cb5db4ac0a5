"""The training loop and its parts: input pipeline, augmentation, optimizers, distillation, checkpoints."""
