"""Who may see the pages: login, accounts, sessions, forms that are ours, and who did what.   auth.py stands before every page"""
