# init: see ARCHITECTURE.md
