"""Speed, measured on this machine against something else on this machine: ratios, not absolute promises."""
