# seed: see ARCHITECTURE.md
