"""What leaves: releases, their cards, and the guard that looks at every byte before."""
