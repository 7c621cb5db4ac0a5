"""Raw data of every layout that is known: CSV files, class folders and archives; `locate.open_source` opens it."""
