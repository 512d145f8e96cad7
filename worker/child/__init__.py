"""The worker's child: the process in which models run. It has no database, no broker and no credentials of theirs."""
