/* vocabulary.c - the tables of lh-gen, and draws from them.  See gen.h. */
#include "gen.h"

#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct gen_role gen_roles[] = {
	{ "Forklift Operator", 118, TRADE_GOODS,
	  { "sit-down forklift", "stand-up reach truck", "pallet jack", "trailer loading",
	    "RF scanner", "load securing", "battery changing", "high racking" },
	  { "OSHA Forklift", "OSHA 10", "Reach Truck License" },
	  { "Drives counterbalance and reach trucks in narrow aisles up to 30 feet.",
	    "Loaded up to 40 trailers a shift without a damaged pallet.",
	    "Checks the truck before every shift and writes up faults.",
	    "Moved steel coils and crated machines with clamp attachments.",
	    "Trained new drivers in pedestrian safety." } },
	{ "Warehouse Associate", 95, TRADE_GOODS,
	  { "order picking", "packing", "RF scanner", "pallet jack", "cycle counting", "labeling",
	    "stretch wrapping", "putaway" },
	  { "OSHA 10", "Pallet Jack License" },
	  { "Picks, packs and labels about 120 lines an hour.",
	    "Keeps the pick face stocked and the floor clear.",
	    "Worked peak season two years in a row without an absence.",
	    "Handles returns and sorts goods back into stock.",
	    "Knows two warehouse management systems well." } },
	{ "Order Picker", 62, TRADE_GOODS,
	  { "voice picking", "RF scanner", "cherry picker", "order consolidation",
	    "pallet building", "label printing", "cold storage work" },
	  { "Order Picker License", "OSHA 10" },
	  { "Picks by voice at 99.7 percent accuracy.",
	    "Built mixed pallets for grocery stores by route.",
	    "Works at height on an order picker truck with harness.",
	    "Ran the fast movers aisle during night shift." } },
	{ "Material Handler", 60, TRADE_GOODS,
	  { "line feeding", "kanban", "tugger driving", "pallet jack", "overhead crane",
	    "inventory transactions", "lot tracking" },
	  { "OSHA Forklift", "Overhead Crane Card", "OSHA 10" },
	  { "Feeds four assembly lines from the supermarket by kanban.",
	    "Drives a tugger train on a fixed milk run.",
	    "Books every move in the system as it happens.",
	    "Kept line stops for missing parts under one a week." } },
	{ "Shipping Clerk", 30, TRADE_GOODS,
	  { "bills of lading", "carrier booking", "parcel manifesting", "customs forms", "Excel",
	    "SAP", "dock scheduling" },
	  { "Hazmat Shipping", "Dangerous Goods by Air" },
	  { "Writes bills of lading and books carriers for outbound freight.",
	    "Schedules twelve dock doors and calls drivers in.",
	    "Cut detention charges by a third in one year.",
	    "Answers customers who ask where their freight is." } },
	{ "Receiving Clerk", 22, TRADE_GOODS,
	  { "goods receipt", "packing slip matching", "damage claims", "SAP", "barcode labeling",
	    "yard checks" },
	  { "Hazmat Awareness" },
	  { "Checks inbound loads against the purchase order and notes every shortage.",
	    "Photographs damage and files claims with the carrier.",
	    "Receives about 60 deliveries a day in two shifts." } },
	{ "Inventory Specialist", 18, TRADE_GOODS,
	  { "cycle counting", "root cause analysis", "Excel pivot tables", "SAP", "slotting",
	    "stock reconciliation" },
	  { "CPIM", "Six Sigma Yellow Belt" },
	  { "Counts by ABC class and chases each difference to its cause.",
	    "Brought stock accuracy from 94 to 99.2 percent.",
	    "Plans slotting so that fast movers lie near the dock." } },
	{ "Dock Worker", 30, TRADE_GOODS,
	  { "trailer loading", "freight sorting", "hand truck", "load securing", "pallet jack",
	    "cross-docking" },
	  { "OSHA 10", "Pallet Jack License" },
	  { "Loads and unloads floor-stacked trailers by hand and by jack.",
	    "Sorts freight across 80 doors at an LTL terminal.",
	    "Straps and braces mixed loads so that they arrive whole." } },
	{ "Truck Driver", 42, TRADE_GOODS,
	  { "tractor trailer", "flatbed", "tarping", "electronic logs", "pre-trip inspection",
	    "drop and hook", "winter driving" },
	  { "CDL Class A", "Hazmat Endorsement", "Tanker Endorsement", "TWIC Card" },
	  { "Drove 600,000 miles over the road without a chargeable accident.",
	    "Runs regional dry van, home most weekends.",
	    "Hauls flatbed steel and tarps in any weather.",
	    "Keeps clean electronic logs and passes roadside inspections." } },
	{ "Delivery Driver", 36, TRADE_GOODS,
	  { "route planning", "box truck", "liftgate", "proof of delivery", "customer contact",
	    "hand truck" },
	  { "CDL Class B", "DOT Medical Card" },
	  { "Makes 25 stops a day with a liftgate truck.",
	    "Delivers appliances and carries them in with care.",
	    "Knows the streets around %t by heart." } },
	{ "Machine Operator", 60, TRADE_METAL,
	  { "machine setup", "changeovers", "SPC charts", "lockout tagout", "calipers",
	    "injection molding", "troubleshooting" },
	  { "OSHA 10", "Lockout Tagout" },
	  { "Runs three injection molding machines and does own changeovers.",
	    "Checks first pieces with calipers and keeps the SPC chart.",
	    "Clears jams and small stops without waiting for maintenance.",
	    "Raised output of the cell by 8 percent with shorter changeovers." } },
	{ "Assembler", 58, TRADE_METAL,
	  { "hand tools", "torque wrench", "work instructions", "soldering", "wire harness",
	    "blueprint reading", "5S" },
	  { "IPC-A-610", "OSHA 10" },
	  { "Builds gearboxes from work instructions and torques every bolt to the sheet.",
	    "Assembles control panels and wire harnesses from drawings.",
	    "Works at any station of the line and trains others.",
	    "Found and reported a wrong part before 500 units shipped." } },
	{ "CNC Operator", 45, TRADE_METAL,
	  { "Haas mills", "Mazak lathes", "G-code", "offsets", "micrometers", "blueprint reading",
	    "fixture setup", "GD&T" },
	  { "NIMS Level I", "NIMS Level II", "OSHA 10" },
	  { "Sets up Haas mills and holds two thousandths.",
	    "Edits G-code at the control and keeps tool offsets.",
	    "Turned aerospace fittings in titanium and Inconel.",
	    "Measures with micrometers, bore gauges and a CMM." } },
	{ "Welder", 45, TRADE_METAL,
	  { "MIG", "TIG", "stick welding", "flux core", "blueprint reading", "grinding", "fit-up",
	    "stainless" },
	  { "AWS D1.1", "AWS D17.1", "6G Pipe", "OSHA 10" },
	  { "Welds structural steel in all positions to AWS D1.1.",
	    "TIG welds thin stainless for the dairy trade.",
	    "Reads weld symbols and fits up from drawings.",
	    "Passed every X-ray on a pressure vessel job.",
	    "Repairs cast iron and heavy equipment in the field." } },
	{ "Quality Inspector", 30, TRADE_METAL,
	  { "CMM", "calipers", "GD&T", "first article inspection", "PPAP", "SPC charts",
	    "surface plate", "nonconformance reports" },
	  { "ASQ CQI", "Six Sigma Green Belt" },
	  { "Writes first article reports and PPAP packages.", "Programs the CMM for new castings.",
	    "Holds bad lots and follows them to the end.", "Audits the line twice a shift." } },
	{ "Maintenance Technician", 32, TRADE_METAL,
	  { "PLC troubleshooting", "hydraulics", "pneumatics", "480 volt", "preventive maintenance",
	    "conveyor repair", "welding repairs", "VFDs" },
	  { "OSHA 30", "Arc Flash Safety", "EPA 608" },
	  { "Finds electrical faults on 480 volt drives and Allen-Bradley PLCs.",
	    "Rebuilt hydraulic presses and palletizers.",
	    "Keeps the preventive plan and the spare parts list.",
	    "Took unplanned downtime from 9 to 4 percent." } },
	{ "Press Operator", 18, TRADE_METAL,
	  { "die setting", "coil feeding", "tonnage monitors", "light curtains", "calipers",
	    "stamping" },
	  { "OSHA 10", "Overhead Crane Card" },
	  { "Sets dies and feeds coils on a 400 ton progressive press.",
	    "Watches tonnage and burrs and stops before scrap is made.",
	    "Stamped brackets for three car makers." } },
	{ "Tool and Die Maker", 6, TRADE_METAL,
	  { "surface grinding", "wire EDM", "die repair", "SolidWorks", "tool steel",
	    "jig boring" },
	  { "Journeyman Card", "NIMS Level III" },
	  { "Builds and repairs progressive dies to a tenth.",
	    "Served a four-year apprenticeship and teaches apprentices.",
	    "Cuts punches by wire EDM and fits them by hand." } },
	{ "Production Supervisor", 14, TRADE_METAL,
	  { "scheduling", "team leading", "lean manufacturing", "safety walks", "shift reports",
	    "KPI boards", "coaching" },
	  { "OSHA 30", "Six Sigma Green Belt" },
	  { "Leads 32 people on second shift.", "Plans the week with sales and maintenance.",
	    "Brought recordables to zero for eighteen months.",
	    "Holds a ten-minute meeting at the board every day." } },
	{ "Food Production Worker", 32, TRADE_FOOD,
	  { "batching", "knife skills", "allergen control", "GMP", "cold room work",
	    "metal detector checks", "recipe weighing" },
	  { "ServSafe Handler", "HACCP" },
	  { "Weighs and batches by recipe and signs the allergen sheet.",
	    "Trims and portions meat in a 38 degree room.",
	    "Runs the oven line for bread and rolls.",
	    "Knows GMP and never had a finding at audit." } },
	{ "Packaging Operator", 30, TRADE_FOOD,
	  { "case packer", "flow wrapper", "date coding", "palletizer", "changeovers",
	    "checkweigher" },
	  { "GMP", "Lockout Tagout" },
	  { "Runs flow wrappers and case packers at 180 packs a minute.",
	    "Changes films and date codes between runs.",
	    "Clears palletizer faults and keeps the line fed." } },
	{ "Sanitation Technician", 22, TRADE_FOOD,
	  { "foaming", "chemical dosing", "CIP", "ATP swabs", "lockout tagout", "drain cleaning" },
	  { "HACCP", "Hazcom", "Lockout Tagout" },
	  { "Takes slicers apart, foams, rinses and sanitizes them at night.",
	    "Doses chlorine and acid by titration.", "Passes pre-op swabs the first time." } },
	{ "Line Cook", 14, TRADE_FOOD,
	  { "grill", "saute", "prep", "plating", "inventory", "knife skills" },
	  { "ServSafe Manager", "ServSafe Handler" },
	  { "Works grill and saute for 300 covers a night.",
	    "Preps sauces and stocks before service.",
	    "Keeps the station clean and the cold chain written down." } },
	{ "Certified Nursing Assistant", 22, TRADE_CARE,
	  { "vital signs", "patient transfers", "bathing", "charting", "dementia care",
	    "Hoyer lift", "feeding assistance" },
	  { "CNA License", "BLS", "CPR" },
	  { "Cares for twelve residents a shift and charts on time.",
	    "Lifts safely with a Hoyer and a partner.",
	    "Sits patiently with people who have dementia.",
	    "Takes vital signs and calls the nurse early." } },
	{ "Medical Assistant", 12, TRADE_CARE,
	  { "phlebotomy", "EKG", "injections", "Epic", "rooming patients", "vital signs" },
	  { "CMA", "BLS", "Phlebotomy Certificate" },
	  { "Draws blood and runs EKGs in a family practice.",
	    "Rooms 30 patients a day and keeps Epic current.",
	    "Gives vaccines to children and calms them." } },
	{ "Dental Assistant", 6, TRADE_CARE,
	  { "chairside assisting", "X-rays", "sterilization", "impressions", "Dentrix",
	    "four-handed dentistry" },
	  { "DANB CDA", "Radiology Permit", "CPR" },
	  { "Assists at the chair with crowns and extractions.",
	    "Takes digital X-rays and impressions.", "Runs the autoclave and the spore tests." } },
	{ "Home Health Aide", 14, TRADE_CARE,
	  { "personal care", "meal preparation", "medication reminders", "light housekeeping",
	    "companionship", "mobility help" },
	  { "HHA Certificate", "CPR" },
	  { "Visits five clients a week and knows their families.",
	    "Cooks for diabetics and notes what was eaten.",
	    "Helps with walking after a stroke." } },
	{ "General Laborer", 50, TRADE_BUILD,
	  { "demolition", "site cleanup", "concrete pouring", "shoveling", "power tools",
	    "scaffold help", "traffic flagging" },
	  { "OSHA 10", "Flagger Card" },
	  { "Pours and finishes concrete and strips forms.",
	    "Tears out drywall and keeps the site swept.",
	    "Carries, digs and cleans in any weather.",
	    "Shows up at five in the morning, every morning." } },
	{ "Electrician", 20, TRADE_BUILD,
	  { "conduit bending", "panel wiring", "NEC", "motor controls", "fire alarms",
	    "troubleshooting", "lighting retrofit" },
	  { "Journeyman License", "OSHA 30", "Arc Flash Safety" },
	  { "Bends conduit and pulls wire in occupied buildings.",
	    "Wires panels and motor starters to the NEC.",
	    "Finds ground faults that others gave up on." } },
	{ "Carpenter", 14, TRADE_BUILD,
	  { "framing", "finish work", "concrete forms", "blueprint reading", "drywall",
	    "door hanging" },
	  { "OSHA 10", "Scaffold User Card" },
	  { "Frames walls with metal studs and hangs doors.",
	    "Builds forms for footings and retaining walls.",
	    "Does trim and cabinets that need no caulk." } },
	{ "HVAC Technician", 12, TRADE_BUILD,
	  { "refrigerant charging", "brazing", "rooftop units", "duct work", "thermostats",
	    "compressor changes" },
	  { "EPA 608", "NATE", "OSHA 10" },
	  { "Services rooftop units and walk-in coolers.",
	    "Brazes line sets and pulls a deep vacuum.", "On call one week in four." } },
	{ "Customer Service Representative", 26, TRADE_OFFICE,
	  { "inbound calls", "order entry", "Salesforce", "de-escalation", "Spanish", "typing" },
	  { "Customer Service Certificate" },
	  { "Takes 70 calls a day and closes most of them at once.",
	    "Enters orders and chases late ones.",
	    "Calms angry callers and writes down what they said." } },
	{ "Data Entry Clerk", 13, TRADE_OFFICE,
	  { "ten-key", "Excel", "typing", "document scanning", "proofreading", "SAP" },
	  { "Microsoft Office Specialist" },
	  { "Keys 11,000 strokes an hour with few errors.", "Scans and indexes invoices.",
	    "Checks addresses against the carrier file." } },
};
static const size_t gen_n_roles = COUNT(gen_roles);

static const struct gen_city gen_cities[] = {
	{ "Chicago", "IL", "773", TRADE_GOODS, 66 }, { "Aurora", "IL", "630", TRADE_METAL, 22 },
	{ "Joliet", "IL", "815", TRADE_GOODS, 30 }, { "Rockford", "IL", "779", TRADE_METAL, 18 },
	{ "Peoria", "IL", "309", TRADE_METAL, 14 },
	{ "Springfield", "IL", "217", TRADE_OFFICE, 10 },
	{ "Bolingbrook", "IL", "331", TRADE_GOODS, 14 }, { "Elgin", "IL", "847", TRADE_METAL, 10 },
	{ "Indianapolis", "IN", "317", TRADE_GOODS, 44 },
	{ "Fort Wayne", "IN", "260", TRADE_METAL, 18 },
	{ "Gary", "IN", "219", TRADE_METAL, 12 }, { "South Bend", "IN", "574", TRADE_METAL, 10 },
	{ "Evansville", "IN", "812", TRADE_FOOD, 8 }, { "Detroit", "MI", "313", TRADE_METAL, 40 },
	{ "Grand Rapids", "MI", "616", TRADE_METAL, 24 },
	{ "Lansing", "MI", "517", TRADE_METAL, 10 },
	{ "Flint", "MI", "810", TRADE_METAL, 8 }, { "Kalamazoo", "MI", "269", TRADE_CARE, 8 },
	{ "Columbus", "OH", "614", TRADE_GOODS, 40 }, { "Cleveland", "OH", "216", TRADE_CARE, 26 },
	{ "Cincinnati", "OH", "513", TRADE_FOOD, 26 }, { "Toledo", "OH", "419", TRADE_METAL, 16 },
	{ "Dayton", "OH", "937", TRADE_METAL, 12 }, { "Akron", "OH", "330", TRADE_METAL, 10 },
	{ "Milwaukee", "WI", "414", TRADE_METAL, 26 }, { "Madison", "WI", "608", TRADE_CARE, 10 },
	{ "Green Bay", "WI", "920", TRADE_FOOD, 12 }, { "Kenosha", "WI", "262", TRADE_GOODS, 10 },
	{ "St. Louis", "MO", "314", TRADE_FOOD, 24 },
	{ "Kansas City", "MO", "816", TRADE_GOODS, 22 },
	{ "Springfield", "MO", "417", TRADE_FOOD, 8 },
	{ "Louisville", "KY", "502", TRADE_GOODS, 26 },
	{ "Lexington", "KY", "859", TRADE_METAL, 10 },
	{ "Nashville", "TN", "615", TRADE_GOODS, 22 },
	{ "Memphis", "TN", "901", TRADE_GOODS, 32 }, { "Knoxville", "TN", "865", TRADE_BUILD, 8 },
	{ "Minneapolis", "MN", "612", TRADE_CARE, 20 },
	{ "St. Paul", "MN", "651", TRADE_OFFICE, 10 },
	{ "Des Moines", "IA", "515", TRADE_FOOD, 12 },
	{ "Cedar Rapids", "IA", "319", TRADE_FOOD, 8 },
	{ "Davenport", "IA", "563", TRADE_METAL, 6 }, { "Omaha", "NE", "402", TRADE_FOOD, 12 },
	{ "Wichita", "KS", "316", TRADE_METAL, 8 }, { "Kansas City", "KS", "913", TRADE_GOODS, 8 },
	{ "Dallas", "TX", "214", TRADE_GOODS, 26 }, { "Fort Worth", "TX", "817", TRADE_GOODS, 14 },
	{ "Houston", "TX", "713", TRADE_BUILD, 22 },
	{ "San Antonio", "TX", "210", TRADE_BUILD, 10 },
	{ "Laredo", "TX", "956", TRADE_GOODS, 6 }, { "Atlanta", "GA", "404", TRADE_GOODS, 24 },
	{ "Savannah", "GA", "912", TRADE_GOODS, 8 }, { "Charlotte", "NC", "704", TRADE_OFFICE, 12 },
	{ "Greensboro", "NC", "336", TRADE_METAL, 6 },
	{ "Greenville", "SC", "864", TRADE_METAL, 8 },
	{ "Birmingham", "AL", "205", TRADE_METAL, 6 },
	{ "Pittsburgh", "PA", "412", TRADE_CARE, 10 },
	{ "Allentown", "PA", "610", TRADE_GOODS, 8 }, { "Harrisburg", "PA", "717", TRADE_GOODS, 6 },
	{ "Newark", "NJ", "973", TRADE_GOODS, 8 }, { "Phoenix", "AZ", "602", TRADE_BUILD, 10 },
	{ "Reno", "NV", "775", TRADE_GOODS, 6 }, { "Ontario", "CA", "909", TRADE_GOODS, 8 },
	{ "Fresno", "CA", "559", TRADE_FOOD, 6 }, { "Denver", "CO", "303", TRADE_BUILD, 8 },
	{ "Salt Lake City", "UT", "801", TRADE_OFFICE, 6 },
	{ "Tacoma", "WA", "253", TRADE_GOODS, 4 },
	{ "Jacksonville", "FL", "904", TRADE_GOODS, 6 }, { "Lakeland", "FL", "863", TRADE_FOOD, 4 },
};
static const size_t gen_n_cities = COUNT(gen_cities);

const char *const gen_clients[] = {
	"Beacon Freight", "Parallel Machining", "Midway Distribution", "Harbor Cold Storage",
	"Keystone Castings", "Lakeshore Logistics", "Prairie Foods", "Summit Plastics",
	"Ironwood Fabrication", "Northgate Packaging", "Riverbend Health", "Crossroads Supply",
	"Blue Ash Components", "Cardinal Stamping", "Evergreen Produce", "Fox Valley Tooling",
	"Granite State Builders", "Heartland Mills", "Juniper Medical Group",
	"Kestrel Aerospace", "Liberty Parcel", "Maple Leaf Bakery", "Nova Electronics",
	"Oakline Furniture", "Pioneer Beverage", "Quarry Stone Contractors",
	"Redhawk Automotive", "Sterling Home Care", "Tri-County Electric",
	"Union Yard Warehousing", "Vanguard Appliances", "Westfield Paper", "Apex Fulfillment",
	"Brightwater Dairy", "Copperfield HVAC", "Delta Cross Dock", "Eastman Road Foods",
	"Falcon Transit", "Great Plains Grain", "Hilltop Senior Living",
};
const size_t gen_n_clients = COUNT(gen_clients);

const char *const gen_first_names[] = {
	"James", "Maria", "Robert", "Linda", "Michael", "Patricia", "David", "Jennifer",
	"William", "Angela", "Carlos", "Latoya", "Darnell", "Keisha", "Marcus", "Tamika",
	"Andre", "Denise", "Terrence", "Monique", "José", "Guadalupe", "Luis", "Sofía",
	"Miguel", "Ana", "Jorge", "Rosa", "Héctor", "Carmen", "Kevin", "Karen", "Brian",
	"Susan", "Jason", "Donna", "Eric", "Amy", "Scott", "Heather", "Łukasz", "Agnieszka",
	"Tomasz", "Zoë", "Siobhán", "Mohamed", "Fatima", "Ahmed", "Amina", "Omar", "Thảo",
	"Minh", "Wei", "Mei", "Priya", "Raj", "Olga", "Dmitri", "Jürgen", "François", "Tyler",
	"Brittany", "Cody", "Destiny",
};
const size_t gen_n_first_names = COUNT(gen_first_names);

const char *const gen_last_names[] = {
	"Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis",
	"Rodriguez", "Martinez", "Hernández", "López", "Gonzalez", "Wilson", "Anderson",
	"Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee", "Pérez", "Thompson", "White",
	"Harris", "Sanchez", "Clark", "Ramirez", "Lewis", "Robinson", "Walker", "Young",
	"Allen", "King", "Wright", "Scott", "Torres", "Nguyễn", "Hill", "Flores", "Green",
	"Adams", "Nelson", "Baker", "Hall", "Rivera", "Campbell", "Mitchell", "Carter",
	"Roberts", "Kowalski", "Wójcik", "Novak", "Müller", "Sørensen", "Patel", "Khan", "Chen",
	"Kim", "Singh", "Hassan", "Ali", "Ivanova", "O’Brien", "Washington", "Jefferson",
	"Brooks", "Coleman", "Freeman", "Vázquez",
};
const size_t gen_n_last_names = COUNT(gen_last_names);

static const struct gen_archetype gen_archetypes[] = {
	{ "reliable", 240, { "Has not missed a shift in the last two years.",
			     "Supervisors ask for this worker by name." } },
	{ "flexible", 170, { "Takes any shift and any line.",
			     "Changes tasks in the middle of a shift without complaint." } },
	{ "specialist", 140, { "Wants work in the trade only and is worth the rate.",
			       "Others come with the hard questions." } },
	{ "newcomer", 120, { "Learns quickly and asks before guessing.",
			     "New to the trade and eager to stay." } },
	{ "leader", 90, { "Has led crews of up to ten.", "Keeps a crew calm on a bad day." } },
	{ "improver", 80, { "Went from trainee to lead hand in a year.",
			    "Attendance has become much better since spring." } },
	{ "communicator", 80, { "Speaks English and Spanish and passes shifts on well.",
				"Tells the office early when something is wrong." } },
	{ "erratic", 50, { "Good work, but call the day before to confirm.",
			   "Attendance has been uneven." } },
	{ "silent", 30, { "Quiet and exact; reach by text message.", "Prefers to work alone." } },
};
static const size_t gen_n_archetypes = COUNT(gen_archetypes);

static const struct gen_status gen_statuses[] = {
	{ "active", 860 }, { "placed", 90 }, { "inactive", 40 }, { "do_not_contact", 10 },
};
static const size_t gen_n_statuses = COUNT(gen_statuses);

static const char *const gen_workplaces[TRADES][5] = {
	[TRADE_GOODS] = { "distribution centers", "cold storage", "e-commerce fulfillment",
			  "an LTL terminal", "a grocery warehouse" },
	[TRADE_METAL] = { "automotive plants", "a job shop", "heavy equipment manufacturing",
			  "aerospace machining", "plastics and stamping" },
	[TRADE_FOOD] = { "a bakery", "meat processing", "a dairy", "beverage bottling",
			 "commercial kitchens" },
	[TRADE_CARE] = { "nursing homes", "a family practice", "outpatient clinics", "home care",
			 "a county hospital" },
	[TRADE_BUILD] = { "commercial construction", "road work", "plant shutdowns",
			  "residential building", "school renovations" },
	[TRADE_OFFICE] = { "a call center", "an insurance office", "a freight brokerage",
			   "a hospital back office", "a parts counter" },
};

void gen_mail(struct lh_buf *b, const char *name)
{
	static const char *const plain[][2] = {
		{ "á", "a" }, { "ả", "a" }, { "ç", "c" }, { "é", "e" }, { "ë", "e" }, { "ễ", "e" },
		{ "í", "i" }, { "Ł", "l" }, { "ó", "o" }, { "ø", "o" }, { "ü", "ue" }, { "’", "" },
	};
	size_t i, n;

	for (; *name; name += n) {
		n = 1;
		if ((unsigned char)*name < 0x80)
			lh_buf_putc(b, lh_fold(*name));
		for (i = 0; i < COUNT(plain); i++)
			if (!strncmp(name, plain[i][0], strlen(plain[i][0]))) {
				lh_buf_puts(b, plain[i][1]);
				n = strlen(plain[i][0]);
			}
	}
}

const char *const gen_openers[] = {
	"%y as %a in %p.", "%y of experience in %p, most recently with %c.",
	"Started in %p and has worked as %a for %y.", "Came to the trade through %p; %y as %a.",
	"Works as %a; %y in %p.", "Worked for %c in %t for %y.",
};
const size_t gen_n_openers = COUNT(gen_openers);

const char *const gen_closers[] = {
	"Available within %m miles of %t.", "Has own car and will drive %m miles.",
	"Prefers first shift.", "Open to nights and weekends.",
	"Can start within a week.", "Looking for temp to hire.", "Lives in %t and rides the bus.",
	"Has steel-toe boots and own tools.",
};
const size_t gen_n_closers = COUNT(gen_closers);

static const char *const gen_hours[] = {
	"06:00", "07:00", "05:00", "06:30", "08:00", "14:00", "15:00", "14:30", "22:00", "23:00",
	"05:30", "07:30", "09:00", "16:00", "17:30", "18:00", "04:00", "12:00", "13:30", "19:00",
};
static const size_t gen_n_hours = COUNT(gen_hours);

/* ---- weighted and clustered draws ---- */

#define SLOTS 2048	/* above the sum of any table's weights */
#define HOME_CLIENTS 4

/* One byte for each unit of weight: a draw is one access. */
struct wheel {
	unsigned total;
	unsigned char slot[SLOTS];
};

static struct wheel roles, cities, archetypes, statuses;

static void wheel_add(struct wheel *w, unsigned what, unsigned weight)
{
	while (weight-- && w->total < SLOTS)
		w->slot[w->total++] = (unsigned char)what;
}

void gen_init(void)
{
	for (size_t i = 0; i < gen_n_roles; i++)
		wheel_add(&roles, i, gen_roles[i].weight);
	for (size_t i = 0; i < gen_n_cities; i++)
		wheel_add(&cities, i, gen_cities[i].weight);
	for (size_t i = 0; i < gen_n_archetypes; i++)
		wheel_add(&archetypes, i, gen_archetypes[i].weight);
	for (size_t i = 0; i < gen_n_statuses; i++)
		wheel_add(&statuses, i, gen_statuses[i].weight);
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct gen_rng gen_row(uint64_t seed, enum gen_kind kind, uint64_t row)
{
	return (struct gen_rng){ mix(mix(seed * 4 + kind) + row) };
}

unsigned gen_pick(struct gen_rng *r, unsigned n)
{
	r->s += UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(((mix(r->s) >> 32) * n) >> 32);
}

static unsigned spin(struct gen_rng *r, const struct wheel *w)
{
	return w->slot[gen_pick(r, w->total)];
}

/* Each city has a few clients of its own, the first the largest; one order in ten
 * comes from any other. */
const char *gen_client(struct gen_rng *r, const struct gen_city *city)
{
	static const unsigned char size[10] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, 3 };
	size_t home = (size_t)(city - gen_cities) * 7;

	if (gen_pick(r, 10) == 0)
		return gen_clients[gen_pick(r, gen_n_clients)];
	_Static_assert(HOME_CLIENTS == 4, "size[] names each of them");
	return gen_clients[(home + size[gen_pick(r, sizeof(size))] * 11) % gen_n_clients];
}

const struct gen_archetype *gen_archetype(struct gen_rng *r)
{
	return &gen_archetypes[spin(r, &archetypes)];
}

const struct gen_status *gen_status(struct gen_rng *r)
{
	return &gen_statuses[spin(r, &statuses)];
}

void gen_scene(struct gen_rng *r, struct gen_scene *s)
{
	s->city = &gen_cities[spin(r, &cities)];
	s->role = &gen_roles[spin(r, &roles)];
	if (s->role->trade != s->city->trade && gen_pick(r, 4) == 0)
		s->role = &gen_roles[spin(r, &roles)];
	s->client = gen_client(r, s->city);
	s->hour = gen_hours[gen_pick(r, 1 + gen_pick(r, gen_n_hours))];
	s->count = 1 + gen_pick(r, 1 + gen_pick(r, 12));
	s->years = 1 + gen_pick(r, 1 + gen_pick(r, 24));
	s->miles = 5 * (1 + gen_pick(r, 9));
	s->workplace = gen_workplaces[s->role->trade][gen_pick(r, 5)];
}

void gen_some(struct gen_rng *r, unsigned n, unsigned k, unsigned char *which)
{
	unsigned char all[16];

	for (unsigned i = 0; i < n; i++)
		all[i] = i;
	for (unsigned i = 0; i < k; i++) {
		unsigned at = i + gen_pick(r, n - i);

		which[i] = all[at];
		all[at] = all[i];
	}
}

static void fill_hole(struct lh_buf *b, char hole, const struct gen_scene *s)
{
	switch (hole) {
	case 'a':
		lh_buf_puts(b, strchr("AEIOU", s->role->name[0]) ? "an " : "a ");
		/* fallthrough */
	case 'r':
		lh_buf_puts(b, s->role->name);
		break;
	case 'R':
		lh_buf_puts(b, s->role->name);
		if (s->count > 1)
			lh_buf_putc(b, 's');
		break;
	case 'n':
		lh_buf_u64(b, s->count);
		break;
	case 'm':
		lh_buf_u64(b, s->miles);
		break;
	case 'y':
		lh_buf_u64(b, s->years);
		lh_buf_puts(b, s->years > 1 ? " years" : " year");
		break;
	case 'c':
		lh_buf_puts(b, s->client);
		break;
	case 't':
		lh_buf_puts(b, s->city->name);
		break;
	case 's':
		lh_buf_puts(b, s->city->state);
		break;
	case 'h':
		lh_buf_puts(b, s->hour);
		break;
	case 'p':
		lh_buf_puts(b, s->workplace);
		break;
	}
}

void gen_fill(struct lh_buf *b, const char *sentence, const struct gen_scene *s)
{
	const char *hole;

	while ((hole = strchr(sentence, '%'))) {
		lh_buf_add(b, sentence, (size_t)(hole - sentence));
		fill_hole(b, hole[1], s);
		sentence = hole + 2;
	}
	lh_buf_puts(b, sentence);
}
