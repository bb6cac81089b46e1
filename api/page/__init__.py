"""The live page: a map on which a planner tries a change and sees at once who gains."""
