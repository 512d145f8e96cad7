"""What an audit and a comparison found, as documents: their types, and when a number in them says nothing."""
