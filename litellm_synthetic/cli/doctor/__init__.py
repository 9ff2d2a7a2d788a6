"""The command `doctor`: checks of the installation, the settings, the table and the account."""
