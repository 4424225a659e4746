"""The hashindex command, a file per subcommand."""
