"""What the contexts share: events and rewinds, identities, money, places, calendar arithmetic, errors."""
