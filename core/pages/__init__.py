"""Pages of the mechanisms themselves: background jobs, inbox, attachments, working days."""
