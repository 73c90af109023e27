"""What the tool costs, as ratios to yardsticks that run beside it: `make bench`."""
