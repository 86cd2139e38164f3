# plan: see ARCHITECTURE.md
