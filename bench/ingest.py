"""ingest.py make FILE ROWS - a table of workers; ingest.py read FILE - as JSON Lines, by Python's csv and json."""
import csv
import json
import random
import sys

if sys.argv[1] == "make":
    random.seed(3)
    roles = ["Forklift Operator", "Welder", "Packer", "CNC Operator", "Electrician"]
    cities = [("Chicago", "IL"), ("Houston", "TX"), ("St. Louis", "MO"), ("Gary", "IN")]
    with open(sys.argv[2], "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow("id,name,role,city,state,score,active,shifts,phone,email,notes".split(","))
        for i in range(int(sys.argv[3])):
            notes = 'Available on weekdays, has certifications in safety; prefers the "first" shift and works in teams. ' * random.randrange(3, 9)
            out.writerow([i, f"Worker {i} Smith", random.choice(roles), *random.choice(cities), f"{random.random() * 100:.2f}",
                          random.choice(["true", "false"]), random.randrange(90) or "", f"312-555-{i % 10000:04}", f"w{i}@example.com", notes])
else:
    with open(sys.argv[2], newline="") as f:
        for row in csv.DictReader(f):
            sys.stdout.write(json.dumps(row) + "\n")
