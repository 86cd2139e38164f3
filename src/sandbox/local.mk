# sandbox: see ARCHITECTURE.md
