"""Sources of raw data: tables, folders and archives. `locate.open_source` opens one."""
