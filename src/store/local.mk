# store: see ARCHITECTURE.md
