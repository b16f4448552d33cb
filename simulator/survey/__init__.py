"""The survey: software as it comes, installed, started on loopback, asked, and put away again."""
