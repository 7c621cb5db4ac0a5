"""The commands of `emotion`: each adds its arguments on import of argparse alone, and loads the rest when it runs."""
