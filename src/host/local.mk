# host: see ARCHITECTURE.md
