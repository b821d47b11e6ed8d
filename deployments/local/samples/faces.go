package samples

// point is a place in a photo, in pixels from its upper left corner.
type point struct{ x, y float64 }

// face is where a mask goes on a face, measured by hand. Left and right are those of
// the photo, not of the person.
type face struct {
	bridge                point // of the nose, where the upper edge crosses it
	upperLeft, upperRight point // ends of the upper edge, where the cheeks end
	lowerLeft, lowerRight point // on the jaw, at the height of the mouth
	chin                  point
	earLeft, earRight     point // where the loops go; zero where hair or the head hides the ear
}

// photo is one of the photos that the npm package ships. faces are those that get a
// mask; where they are fewer than people, the rest stay bare.
type photo struct {
	name   string
	people int
	faces  []face
}

// maskedName names the photo with masks for what is true of it.
func (p photo) maskedName() string {
	if len(p.faces) < p.people {
		return p.name + "-some-masked"
	}
	return p.name + "-all-masked"
}

// photos lists the photos. Adding one means looking at it and measuring its faces.
func photos() []photo {
	return []photo{
		{name: "sample1", people: 3, faces: []face{
			{
				bridge: point{463, 478}, upperLeft: point{420, 488}, upperRight: point{598, 492},
				lowerLeft: point{438, 548}, lowerRight: point{592, 562}, chin: point{487, 602},
				earRight: point{626, 466},
			},
			{
				bridge: point{903, 556}, upperLeft: point{866, 584}, upperRight: point{1020, 532},
				lowerLeft: point{894, 614}, lowerRight: point{1013, 602}, chin: point{958, 658},
			},
			{
				bridge: point{1573, 322}, upperLeft: point{1490, 303}, upperRight: point{1636, 388},
				lowerLeft: point{1462, 378}, lowerRight: point{1572, 441}, chin: point{1475, 440},
				earRight: point{1672, 400},
			},
		}},
		{name: "sample2", people: 3, faces: []face{
			{
				bridge: point{990, 356}, upperLeft: point{917, 376}, upperRight: point{1062, 366},
				lowerLeft: point{925, 418}, lowerRight: point{1045, 408}, chin: point{984, 455},
			},
			{
				bridge: point{1525, 288}, upperLeft: point{1459, 303}, upperRight: point{1633, 288},
				lowerLeft: point{1500, 352}, lowerRight: point{1626, 348}, chin: point{1560, 393},
				earRight: point{1660, 248},
			},
		}},
		{name: "sample3", people: 3, faces: []face{
			{
				bridge: point{667, 456}, upperLeft: point{597, 462}, upperRight: point{795, 466},
				lowerLeft: point{613, 545}, lowerRight: point{785, 548}, chin: point{688, 606},
			},
			{
				bridge: point{1150, 355}, upperLeft: point{1074, 378}, upperRight: point{1288, 386},
				lowerLeft: point{1086, 452}, lowerRight: point{1275, 460}, chin: point{1145, 514},
				earRight: point{1320, 384},
			},
			{
				bridge: point{1607, 430}, upperLeft: point{1518, 450}, upperRight: point{1690, 440},
				lowerLeft: point{1529, 530}, lowerRight: point{1660, 528}, chin: point{1613, 588},
			},
		}},
		{name: "sample4", people: 4, faces: []face{
			{
				bridge: point{735, 185}, upperLeft: point{664, 190}, upperRight: point{824, 240},
				lowerLeft: point{657, 252}, lowerRight: point{790, 292}, chin: point{693, 310},
				earRight: point{836, 236},
			},
			{
				bridge: point{1030, 300}, upperLeft: point{992, 310}, upperRight: point{1160, 322},
				lowerLeft: point{1005, 376}, lowerRight: point{1142, 388}, chin: point{1050, 417},
				earRight: point{1182, 316},
			},
		}},
		{name: "sample5", people: 5, faces: []face{
			{
				bridge: point{727, 535}, upperLeft: point{625, 545}, upperRight: point{770, 540},
				lowerLeft: point{640, 640}, lowerRight: point{757, 622}, chin: point{712, 674},
			},
			{
				bridge: point{884, 212}, upperLeft: point{785, 236}, upperRight: point{946, 231},
				lowerLeft: point{803, 302}, lowerRight: point{930, 302}, chin: point{867, 334},
				earLeft: point{768, 226},
			},
			{
				bridge: point{1172, 318}, upperLeft: point{1110, 336}, upperRight: point{1268, 332},
				lowerLeft: point{1120, 396}, lowerRight: point{1264, 400}, chin: point{1181, 445},
			},
			{
				bridge: point{1470, 530}, upperLeft: point{1422, 546}, upperRight: point{1580, 536},
				lowerLeft: point{1445, 612}, lowerRight: point{1570, 632}, chin: point{1504, 671},
			},
			{
				bridge: point{474, 1010}, upperLeft: point{402, 1030}, upperRight: point{560, 1012},
				lowerLeft: point{415, 1110}, lowerRight: point{555, 1097}, chin: point{487, 1170},
			},
		}},
		{name: "sample6", people: 4, faces: []face{
			{
				bridge: point{383, 625}, upperLeft: point{265, 652}, upperRight: point{468, 622},
				lowerLeft: point{285, 722}, lowerRight: point{451, 712}, chin: point{391, 769},
				earLeft: point{242, 642},
			},
			{
				bridge: point{738, 475}, upperLeft: point{682, 490}, upperRight: point{837, 482},
				lowerLeft: point{710, 562}, lowerRight: point{838, 566}, chin: point{772, 628},
			},
			{
				bridge: point{1276, 455}, upperLeft: point{1180, 470}, upperRight: point{1366, 466},
				lowerLeft: point{1192, 532}, lowerRight: point{1338, 520}, chin: point{1264, 566},
			},
			{
				bridge: point{1562, 410}, upperLeft: point{1478, 421}, upperRight: point{1676, 436},
				lowerLeft: point{1483, 502}, lowerRight: point{1642, 512}, chin: point{1542, 558},
				earRight: point{1692, 440},
			},
		}},
	}
}
