"""The formats that a picture is written in."""
