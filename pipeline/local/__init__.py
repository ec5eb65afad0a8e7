"""What a run on this machine is made of: its steps' processes, its folder, its cache."""
