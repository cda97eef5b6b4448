# lh-subject: in which spellings the names and telephones of a person are found, by find and verify.
load ../helper
load ../subject

# lines [OPTION]... - the lines of log that find lists and, the same, those that verify does.
lines() {
	lh-subject find --log log "$@" w-7 | jq -r 'select(.path == "log").line' >found
	lh-subject verify --log log "$@" w-7 | jq -r 'select(.path == "log").line' | sort -nu >verified || true
	alike found verified
	tr '\n' ' ' <found
}

@test "a telephone is found by its digits, as a number and whatever separates them" {
	cat >log <<-'END'
		{"to":"+13125550101"}
		{"to":"13125550101"}
		{"to":"tel:+1-312-555-0101"}
		{"to":"?p=%2B13125550101"}
		{"to":"call 312\u00a0555\u20110101 now"}
		{"to":"312\u2013555\t0101"}
		{"to":"(312)\n555.0101 ext 7"}
		{"to":3125550101}
		{"to":"٣١٢٥٥٥٠١٠١"}
		{"to":"３１２－５５５－０１０１"}
		{"to":"312%20555%2D0101"}
		{"to":"at 6 312-555-0101 7 or 312-555-0102"}
		{"to":"312-555-0109 312-555-0101"}
		{"to":"312\u00ad555\u200b0101"}
		{"to":"001 312 555 0101x5"}
	END
	for tel in 312-555-0101 +13125550101 'tel:+1 (312) 555-0101 x5' '312 555 0101 ext. 12' '+1-312-555-0101;ext=5'; do
		[ "$(lines --also "$tel")" = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 " ] || { echo "$tel"; cat found; return 1; }
	done
}

# sure [OPTION]... - the lines as above, each with how certain it is, if it may be another's.
sure() {
	lh-subject find --log log "$@" w-7 | jq -r 'select(.line) | "\(.line)\(.certainty // "")"' | tr '\n' ' '
}

@test "a telephone is one with or without its country, in countries of any length of numbers" {
	printf '{"to":"%s"}\n' 06.12.34.56.78 612345678 '+33 (0)6 12 34 56 78' '0033 612 34 56 78' '011 33 612345678' 33612345678 \
		'pay +33612345678.' 12345678 '+31 612345678' '+36 1 234 5678' '06 12 34 56 79' >log
	[ "$(sure --also +33612345678)" = "1 2 3 4 5 6 7 " ] || { sure --also +33612345678; return 1; }
	[ "$(sure --also '06 12 34 56 78')" = "1 2 3 4 5perhaps 6perhaps 7 9 10perhaps " ] || { sure --also '06 12 34 56 78'; return 1; }
	printf '{"to":"%s"}\n' '+47 912 34 567' '91 23 45 67' 4791234567 '+46 91234567' '1 91234567 2' '12 91234567' >log
	[ "$(sure --also '+47 91234567')" = "1 2 3 5 " ]
	printf '{"to":"%s"}\n' '+39 06 1234567' '06 1234567' '+39 6 1234567' >log
	[ "$(sure --also '0039 06 1234567')" = "1 2 " ]
	printf '{"to":"%s"}\n' '+7 495 123-45-67' '8 (495) 123-45-67' '+54 9 11 2345 6789' '011 2345-6789' '+375 29 491 19 11' '8 029 491-19-11' >log
	[ "$(sure --also '8 495 1234567') $(sure --also '+54 11 2345 6789') $(sure --also 80294911911)" = "1 2  3 4  5 6 " ]
}

@test "a telephone of another country is another, though its last ten digits are the same" {
	printf '{"to":"%s"}\n' '+44 312 555 0101' '0044 3125550101' '312 555 0101' '+1 312 555 0109 312-555-0101' >log
	[ "$(lines --also '+1 312 555 0101')" = "3 4 " ]
	[ "$(lines --also '312 555 0101')" = "1 2 3 4 " ]
	echo '{"candidate_id":"w-8","sender":"+44 312 555 0101"}' >log
	[ "$(sure --also '+1 312 555 0101')" = "" ]
}

@test "an erasure takes out the telephone of a roster that a log has with the country" {
	mkdir -p s/log
	printf 'k%.0s' {1..64} >key && chmod 600 key
	echo '{"candidate_id":"w-7","name":"Rob Al","phone":"06 12 34 56 78"}' >s/roster.jsonl
	echo '{"to":"+33612345678","body":"Shift at 6"}' >s/log/sms.jsonl
	lh-subject erase --state s --apply --text-too --key-file key --reason request w-7
	! grep -r 33612345678 s
	lh-subject verify --state s --also '06 12 34 56 78' w-7
}

@test "another number, and more than 15 digits next to each other, are not the telephone" {
	cat >log <<-'END'
		{"to":"1234563125550101"}
		{"to":"312-555-01012"}
		{"to":"212-555-0101"}
		{"to":"5550101"}
		{"to":31255501010}
		{"to":"312 555 and 0101"}
		{"to":"312-555-0101"}
	END
	[ "$(lines --also 312-555-0101)" = "7 " ]
}

@test "an id and a name that begin with a digit are found within the digits of a number" {
	printf 'call 312-555 77-9\n555 0100 3 Mo\n' >log
	lh-subject verify --log log --also 312-555-0101 --also '3 Mo' 77-9 >got || [ $? = 1 ]
	jq -r 'select(.by) | "\(.by) \(.line)"' got | alike - <(printf 'id 1\ntext 2\n')
}

@test "a telephone of fewer than ten digits is all of a number" {
	printf '{"to":"%s"}\n' 555-0101 'at 6 555 0101 7' 312-555-0101 '(312) 555-0101' 15550101 555-0101-2 555-0101. >log
	[ "$(lines --also 5550101)" = "1 2 7 " ]
}

@test "a telephone of fewer than ten digits is not found within another number, whatever its blanks" {
	printf '{"to":"%s"}\n' '312 555 0101' '+1 312 555 0101' '020 5550101' '(312) 5550101' '555 0101 234' '5550101-2' \
		35550101 55501012 555-0101.5 '5550101 99 2' >log
	printf '{"to":"%s"}\n' '555 0101' '2026-05-03 5550101' '12:30 5550101' '555.0101 at 12:30' '555-0101 12:30' \
		'(555) 0101 x5' 5550101.0 5550101.00. '555-0101 2026-05-03' >>log
	echo '{"to":5550101}' >>log
	echo '{"to":3125550101}' >>log
	for tel in 555-0101 5550101.0; do
		[ "$(lines --also $tel)" = "11 12 13 14 15 16 17 18 19 20 " ] || { diff found verified; cat found; return 1; }
	done
}

@test "an address is not found within another one, and a name not within one with a hyphen of any width" {
	printf '{"to":"%s"}\n' rob@example.com.au al.rob@example.com me+rob@example.com 50%rob@example.com a-rob@example.com \
		_rob@example.com rob@example.com-x rob@example.com2 rob@example.company rob@example.comé al．rob@example.com \
		rob@example.com．au 'Mary‐Rob Al' 'Rob Al‑Smith' éRob@example.com >log
	printf '{"to":"%s"}\n' rob@example.com 'Rob <ROB@example.com>' 'to rob@example.com.' 'rob@example.com...' \
		'mailto:rob@example.com?cc=al@example.com' 'a@example.com,rob@example.com;b@example.com' \
		'?to=rob%40example.com&x=1' 'Rob Al—he called' >>log
	[ "$(lines --also rob@example.com --also 'Rob Al')" = "16 17 18 19 20 21 22 23 " ] || { diff found verified; cat found; return 1; }
}

@test "a text is also found by what a link, a form or a table makes of it" {
	cat >log <<-'END'
		{"x":"name=Sean+O%27Brien&tel=1"}
		{"x":"name=O%27Brien%2C+Sean"}
		{"x":"rob@example.com"}
		{"x":"{312} 555 0101"}
		{"x":"〔312〕 555-0101"}
		{"x":"3125550101.0"}
		{"x":3125550101.0}
	END
	for tel in '312 555 0101' 'tel:%2B1%20312-555-0101' 'tel%3A+1-312-555-0101' '+1%20312%20555%200101' 3125550101.0; do
		[ "$(lines --also "Sean O'Brien" --also 'mailto:Rob@example.com?subject=x' --also "$tel")" = "1 2 3 4 5 6 7 " ] ||
			{ echo "$tel"; cat found; return 1; }
	done
}

@test "a name is found with any white space, apostrophe, hyphen, width and form of accents" {
	cat >log <<-'END'
		{"x":"spoke to Sean O\u2019Brien-Le\u0301e."}
		{"x":"Sean\nO'Brien\u2010L\u00e9e called"}
		{"x":"SEAN  O\u02bcBRIEN\u2011LÉE"}
		{"x":"Sean\u00a0O\u2032Brien\u2212Lée"}
		{"x":"Sean\r\n\u2009O'Brien\u00adLée"}
		{"x":"Ｓｅａｎ　Ｏ＇Ｂｒｉｅｎ－Ｌｅ\u0301ｅ"}
		{"x":"Se\u00adan\tO\u2018Brien\u2013L\u00e9\u200be"}
		{"x":"sean%20o%27brien-l%C3%A9e"}
		{"x":"Sean O'Brien-L\u00e9ex"}
		{"x":"Sean OBrien-Lée"}
		{"x":"xSean O'Brien-Lée"}
		{"x":"Sean O'Brien-Lee"}
	END
	for name in "Sean O'Brien-Lée" "  sean   O’BRIEN‐Lée " $'Sean\tO\xca\xbcBrien\xc2\xadLe\xcc\x81e'; do
		[ "$(lines --also "$name")" = "1 2 3 4 5 6 7 8 " ] || { echo "$name"; cat found; return 1; }
	done
	printf '{"x":"Nguye\\u0302\\u0303n"}\n{"x":"Nguy\\u1ec5n"}\n{"x":"Nguyen"}\n' >log
	[ "$(lines --also Nguyễn)" = "1 2 " ]
}

@test "a text is found with the escapes of HTML, and a telephone with underscores" {
	printf '{"x":"%s"}\n' 'Sean O&#39;Brien' '<b>sean&nbsp;O&rsquo;Brien</b>' 'O&#x27;Brien, Sean' 'sean%20O&apos;Brien' '&#83;ean O&#039;Brien' >log
	printf '{"x":"%s"}\n' 312_555_0101 '312&nbsp;555&#8209;0101' 'a&amp;b@example.com' 'Ren&eacute; M%C3%BCller' 'Ren%C3%A9+M&#252;ller' >>log
	printf '{"x":"%s"}\n' 'xSean O&#39;Brien' '%78Sean O&#39;Brien' "Sean O'Brien&eacute;" "Sean O'Brien%C3%A9" 'Sean O&#39Brien' 'Sean O&amp;#39;Brien' 312_555_01012 '312&#49;555_0101' 'Sean O&nosuch;Brien' >>log
	[ "$(lines --also "Sean O'Brien" --also 312-555-0101 --also 'a&b@example.com' --also 'René Müller')" = "1 2 3 4 5 6 7 8 9 10 " ] || { cat found; return 1; }
	echo '{"x":"+1 (32)32)) 555%20) 5"}' >log
	[ "$(lines --also '+1 (32)32)) 555%20) 5')" = "1 " ]
}

@test "a name is found with the last name first, and one with a comma with the last name last" {
	printf '{"x":"%s"}\n' "Lee, Mary Ann" "Ann Lee, Mary" "see Lee ,mary\tann." "Mary Ann Lee" "Mary, Ann Lee" "Mary Ann" "Lee Mary Ann" >log
	[ "$(lines --also 'Mary Ann Lee')" = "1 2 3 4 " ]
	[ "$(lines --also 'Lee, Mary Ann')" = "1 3 4 " ]
}

@test "signs of ASCII other than letters separate the digits of a telephone that has ten, and end a shorter one" {
	printf '{"to":"%s"}\n' 312~555~0101 '312*555*0101 x' +1:312:555:0101 '312 555 , 0101' '(312)|555=0101' 1,555-0101,555-0102 3:125:55-0101 >log
	for tel in 312~555~0101 +1:312:555:0101 1,312,555,0101 312-555-0101,5; do
		[ "$(lines --also "$tel")" = "1 2 3 4 5 7 " ] || { echo "$tel"; cat found; return 1; }
	done
	[ "$(lines --also 555-0101) $(lines --also 555-0102)" = "6  6 " ]
}

@test "a name is found without the titles at its ends and next to its comma, unless one word would be left" {
	printf '{"x":"%s"}\n' 'call Ann Lee.' 'Lee, Ann' 'Dr. Ann Lee Jr.' 'Jr. Ann Lea' 'Mrs. Lee' >log
	for name in 'Dr. Ann Lee' 'Lee, Ann, Jr.' 'Lee Jr., Ann' 'Lee, Prof. Dr. Ann' 'Ms Ann Lee III, Ph.D.' 'Ann Lee R.N.'; do
		[ "$(lines --also "$name")" = "1 2 3 " ] || { echo "$name"; cat found; return 1; }
	done
	[ "$(lines --also 'Mrs. Lee')" = "5 " ]
}

@test "a name is found in a script without blanks between words, and a word ends where the script changes" {
	printf '{"x":"%s"}\n' 本日山田太郎様より連絡 '山田 太郎' 山田　太郎さん 3山田太郎 山田太 山田次郎 >log
	[ "$(lines --also 山田太郎)" = "1 2 3 4 " ]
	[ "$(lines --also '山田 太郎')" = "1 2 3 4 " ]
	printf '{"x":"%s"}\n' 어제홍길동씨가 '홍 길동' 홍길돈 ติดต่อสมชายวันนี้ >log
	[ "$(lines --also 홍길동) $(lines --also สมชาย)" = "1 2  4 " ]
	printf '{"x":"%s"}\n' 找Ann\ Lee吧 用rob@example.com吧 ナースAnn\ Lee xAnn\ Lee Ann\ Leeé Ann\ Lee5 rob@example.comé звонитьAnn\ Lee >log
	[ "$(lines --also 'Ann Lee' --also rob@example.com)" = "1 2 3 8 " ]
	printf '%s\n' 找w-7吧 找w-77吧 >log
	[ "$(sure)" = "1 " ]
}

@test "digits of a date, a time, an address of IP or an amount are no telephone, and are perhaps one where that cannot be known" {
	printf '{"x":"%s"}\n' '2025-12-01 09:30:00 paid 310' 'IP 202.51.20.109' 202.51.20.109:80 2,025,120,109 2.025.120.109,00 '$2025120109' \
		'€ 2025120109' '[01/Dec/2025:12:01:09]' 2025/12/01,09:10 01.09.2025-12-01 >log
	[ -z "$(sure --also 202-512-0109)" ]
	printf '{"x":"%s"}\n' 202-512-0109 '2025-12-01 202-512-0109' 202.512.0109 202,512,0109 '09:30 (202) 512 0109, 12' '2025-12-01T09:30 +1 202 512 01 09' >log
	[ "$(sure --also 202-512-0109)" = "1 2 3 4 5 6 " ]
	printf '{"x":"%s"}\n' 2025120109 20251201.09 >log
	[ "$(sure --also 202-512-0109)" = "1perhaps 2perhaps " ]
	printf '{"x":"%s"}\n' 20.12.34.56 20.12.345.6 912.345.678 912,345,678 >log
	[ "$(sure --also 20123456 --also 912345678)" = "1perhaps 2 3perhaps " ]
}

@test "a text of blanks alone is refused" {
	echo '{"x":"  "}' >log
	run -2 lh-subject find --log log --also $'  \xc2\xa0 \t' w-7
	[[ $output == *"other characters than blanks"* ]]
}

@test "numbers, lists and objects of a roster are searched by their digits and strings, also of first and last names" {
	cat >log <<-'END'
		{"x":"call 312-555-0101"}
		{"x":"from AL@EXAMPLE.COM"}
		{"x":"+1 312 555 0102 or al2@example.com"}
		{"x":"Al, Rob"}
		{"x":"home mobile main Ulm"}
	END
	roster() { echo "{\"candidate_id\":\"w-7\",$1}" >roster; lines --roster roster --from-roster -q; }
	[ "$(roster '"phone":3125550101')" = "1 " ]
	[ "$(roster '"Phone":3125550101.0')" = "1 " ]
	[ "$(roster '"phone":["312-555-0102",3125550101]')" = "1 3 " ]
	[ "$(roster '"mobile_phone":{"type":"home","label":"main","n":{"kind":"mobile","value":"312-555-0101 (home)"}}')" = "1 " ]
	[ "$(roster '"phone":"312-555-0101 / 312-555-0102"')" = "1 3 " ]
	[ "$(roster '"phone":"312-555-0101 x5","city":"Main"')" = "1 " ]
	[ "$(roster '"Email":["al@example.com"]')" = "2 " ]
	[ "$(roster '"e-mail":"Rob <al@example.com>, al2@example.com"')" = "2 3 " ]
	[ "$(roster '"first_name":"Rob","lastName":"Al"')" = "4 " ]
	[ "$(roster '"name":" Rob  Al "')" = "4 " ]
	[ "$(roster '"name":{"title":"Main","first":"Rob","last":"Al"}')" = "4 " ]
	[ "$(roster '"Name":[{"given":"Bob","middle":"X","family":"Al"},{"given":"Rob","family":"Bo"}]')" = "4 " ]
	[ "$(roster '"preferred_first_name":"Bob","first":"Rob","last_name":"Al"')" = "4 " ]
	[ "$(roster '"candidate_name":"Rob Al"')" = "4 " ]
	[ "$(roster '"contact":{"name":"Rob Al","details":{"cell":"312-555-0101"}},"contacts":[{"cell":"312-555-0102"}]')" = "3 4 " ]
	[ "$(roster '"workEmail":"al@example.com","home_phone_2":"312-555-0102"')" = "2 3 " ]
	[ "$(roster '"tel_no":3125550101,"personal-email-addresses":["al@example.com"]')" = "1 2 " ]
	[ "$(roster '"company_name":"Rob Al","fileName":"Rob Al","supervisor_email":"al@example.com","hotel":"312-555-0101","cell_phone":"mobile","mail":"al2@example.com"')" = "3 " ]
}

@test "a member of a roster that is not searched for, as it is another or too short, is named once" {
	printf '{"candidate_id":"w-7","name":"Bo","city":"Ulm","active":true,"first_name":"Rob"}\n{"candidate_id":"w-7","city":"Bonn","email":"bo@example.com"}\n{"candidate_id":"w-8","role":"x"}\n' >roster
	run -0 --separate-stderr lh-subject find --roster roster --from-roster w-7
	[ "$stderr" = "lh-subject: not searched for, of the roster: name, city, a first or last name alone" ]
	# and the verdict counts them
	[[ $output == *'"telephones":0,"unused":3},"sentence":'*'; 3 members of the roster were not searched for"}' ]]
}
