# scan: see ARCHITECTURE.md
