package fleet

// SetPage has lists come in pages of so many instances.
func (f *Fleet) SetPage(instances int32) { f.page = instances }
