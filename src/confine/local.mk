# confine: see ARCHITECTURE.md
