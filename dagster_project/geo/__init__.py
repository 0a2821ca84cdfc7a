"""Geography: validity of contours, and what follows from it."""
