"""`textbackd support-bundle`: what a maintainer needs, and nothing of anybody.   command.py is where to start, words.py the allow-list"""
