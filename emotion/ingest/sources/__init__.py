"""Sources of raw data: CSV files, class folders and archives. `locate.open_source` opens one."""
