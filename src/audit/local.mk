# audit: see ARCHITECTURE.md
