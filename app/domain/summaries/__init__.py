"""From scores per sample to the numbers of a results document."""
