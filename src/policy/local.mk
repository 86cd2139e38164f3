# policy: see ARCHITECTURE.md
