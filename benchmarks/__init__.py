"""What watching costs. ``make bench`` runs it; nothing here is a test."""
