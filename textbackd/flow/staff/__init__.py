"""Who of the staff is told, and how their answers come back: the reply clock, alarms, their mobiles and desk phones.

A caller's word becomes news (store/news.py); handoff.py makes notices of it, notices_out.py tells them by every way. texts.py and
desk_phones.py take in what staff write back, orders.py does it. escalation.py and alarms.py see that nobody is left waiting.
"""
