"""Speed beside what users would write or pick instead: ``make bench`` measures all of it in one run."""
