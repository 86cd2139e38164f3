# net: see ARCHITECTURE.md
