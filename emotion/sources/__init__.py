"""Raw data of any layout -> what it holds, picture by picture. `locate.open_source` is the way in."""
