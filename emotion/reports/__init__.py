"""The model card, and the tables that it reads."""
