"""A function mapped over batches of images, in several processes where that is safe; and the number of cores."""
