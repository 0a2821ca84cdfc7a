"""Public transport: timetables in GTFS, earliest arrivals by Connection Scan, travel times over a window of departures.

`feed.read_feed` reads and judges a feed; `timetable.build_timetable` lays out the vehicles of one day;
`scan.earliest_arrivals` answers one origin; `times.travel_times` answers a matrix. Clock times are whole seconds since
midnight (noon minus twelve hours) of the day asked, and go past 86,400 for vehicles of the night.
"""
