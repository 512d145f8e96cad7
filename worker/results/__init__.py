"""What an audit's stored scores say: reduced, judged, compared."""
