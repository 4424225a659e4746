"""What training minimises: HashNet's pairwise loss and the contract every loss has."""
