# egress: see ARCHITECTURE.md
