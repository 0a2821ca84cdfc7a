"""What French pages share: their frame, their style, and how numbers, dates and words are written."""
