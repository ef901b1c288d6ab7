"""A web run's database and files as an earlier version of the code left them; see `README.md` beside this file."""
