"""Raw data of any layout, read image by image; `locate.open_source` opens it."""
