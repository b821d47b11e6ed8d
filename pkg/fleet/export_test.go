package fleet

// SetPage has lists come in pages of so many instances.
func (f *Fleet) SetPage(instances int32) { f.page = instances }

// Count is how many there are more than the lists have shown.
func (g Growth) Count() int { return len(g.Found) + len(g.Started) + len(g.Launched) }
