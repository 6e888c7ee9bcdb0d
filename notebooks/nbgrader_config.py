# For the Validate button, where `jupyter lab` was started in this folder: a cell may run for 300 seconds.
get_config().Execute.timeout = 300
