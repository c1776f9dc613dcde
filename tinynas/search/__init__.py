"""Multi-objective evolutionary search and Pareto fronts."""
